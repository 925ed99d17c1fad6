/* What the machine can do: benchmark W (benchmarks/engines.py) and nothing else, as fast as one can write it in C.
 *
 * One replication of a network of first-come-first-served stations with one class, exponential or lognormal services and
 * Poisson arrivals at the first station, on flowsim's own addressed draws: the same residents, services and ways, so the
 * number of completions at each station must be flowsim's to the last one (benchmarks/limit.py checks it). A calendar of
 * days, and 1,024 parts of the open day with a bit for each; everything about a resident in half a cache line, but the
 * links of the lists in an array of their own, which stays close to the processor; the way after a service is drawn when
 * the service starts; no branch on luck that can do without: the ways, the sign of a normal variate, where an arrival
 * comes from. No ties (times are continuous), no log, no classes, no clocks.
 */

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum { PARTS = 1024, WORDS = PARTS / 64, MOST = 8, BOUNDS = 4, STATIONS_OF_A_DRAW = 1024, PURPOSES = 32 };
enum { SERVICE = 0, ROUTE = 1, GAP = 4, LOGNORMAL = 3, OUT = 255, ARRIVAL = MOST };

static const uint64_t GOLDEN = 0x9E3779B97F4A7C15u;
static double exp_x[257], exp_y[257], normal_x[257], normal_y[257];
static const double EXP_R = 7.69711747013104972, EXP_V = 0.0039496598225815571993;
static const double NORMAL_R = 3.6541528853610088, NORMAL_V = 0.00492867323399;

typedef struct {
    double time, since;
    uint64_t key;
    uint16_t loop;
    uint8_t station, to;
} Slot;

typedef struct {
    double a, b, wait, queue_time;
    int64_t servers, busy, waiting, starts, completions;
    uint64_t below[MOST];
    uint8_t way[MOST];
    uint32_t head, tail;
    int32_t family;
} Station;

static inline uint64_t mix(uint64_t z) {
    z = (z ^ (z >> 30)) * 0xBF58476D1CE4E5B9u;
    z = (z ^ (z >> 27)) * 0x94D049BB133111EBu;
    return z ^ (z >> 31);
}

static inline uint64_t output(uint64_t state, uint64_t n) { return mix(state + GOLDEN * (n + 1)); }

static inline uint64_t word(uint64_t key, uint64_t loop, uint64_t station, uint64_t purpose) {
    return output(key, (loop * STATIONS_OF_A_DRAW + station) * PURPOSES + purpose);
}

static inline double unit(uint64_t bits) { return ((double)(bits >> 12) + 0.5) * 0x1p-52; }

static double exponential_retry(uint64_t bits) {
    double shift = 0.0;
    for (;;) {
        unsigned layer = bits & 255;
        double x = (double)(bits >> 11) * 0x1p-53 * exp_x[layer];
        if (x < exp_x[layer + 1]) return shift + x;
        bits = mix(bits + GOLDEN);
        if (layer == 0) {
            shift += EXP_R;
            continue;
        }
        double low = exp_y[layer];
        if (low + (exp_y[layer + 1] - low) * unit(bits) < exp(-x)) return shift + x;
        bits = mix(bits + GOLDEN);
    }
}

static inline double exponential(uint64_t bits) {
    unsigned layer = bits & 255;
    double x = (double)(bits >> 11) * 0x1p-53 * exp_x[layer];
    return __builtin_expect(x < exp_x[layer + 1], 1) ? x : exponential_retry(bits);
}

static double normal_retry(uint64_t bits) {
    for (;;) {
        unsigned layer = bits & 255;
        double x = (double)(bits >> 11) * 0x1p-53 * normal_x[layer];
        int negative = (bits & 256) != 0;
        if (x < normal_x[layer + 1]) return negative ? -x : x;
        bits = mix(bits + GOLDEN);
        if (layer == 0) {
            for (;;) {
                x = -log(unit(bits)) / NORMAL_R;
                bits = mix(bits + GOLDEN);
                double y = -log(unit(bits));
                bits = mix(bits + GOLDEN);
                if (y + y >= x * x) return negative ? -(NORMAL_R + x) : NORMAL_R + x;
            }
        }
        double low = normal_y[layer];
        if (low + (normal_y[layer + 1] - low) * unit(bits) < exp(-0.5 * x * x)) return negative ? -x : x;
        bits = mix(bits + GOLDEN);
    }
}

static inline double normal(uint64_t bits) {
    unsigned layer = bits & 255;
    double x = (double)(bits >> 11) * 0x1p-53 * normal_x[layer];
    if (__builtin_expect(x < normal_x[layer + 1], 1)) { /* the sign without a branch: it is luck */
        uint64_t pattern;
        memcpy(&pattern, &x, sizeof x);
        pattern ^= (bits & 256) << 55;
        memcpy(&x, &pattern, sizeof x);
        return x;
    }
    return normal_retry(bits);
}

static double exp_density(double x) { return exp(-x); }
static double exp_inverse(double y) { return -log(y); }
static double normal_density(double x) { return exp(-0.5 * x * x); }
static double normal_inverse(double y) { return sqrt(-2.0 * log(y)); }

static void layers(double *x, double *y, double edge, double area, double (*density)(double), double (*inverse)(double)) {
    x[0] = area / density(edge);
    x[1] = edge;
    for (int i = 2; i < 256; i++) x[i] = inverse(density(x[i - 1]) + area / x[i - 1]);
    x[256] = 0.0;
    for (int i = 0; i < 257; i++) y[i] = density(x[i]);
}

void prepare(void) {
    layers(exp_x, exp_y, EXP_R, EXP_V, exp_density, exp_inverse);
    layers(normal_x, normal_y, NORMAL_R, NORMAL_V, normal_density, normal_inverse);
}

/* What Python gives and takes: see benchmarks/limit.py. Returns the number of appointments, or -1 without memory. */
int64_t simulate(uint64_t key, double rate, int64_t days, int64_t room, int64_t count, const int64_t *servers,
                 const int64_t *family, const double *a, const double *b, const int64_t *ways, const uint64_t *below,
                 const int64_t *way, int64_t snapshots, int64_t *completions, double *wait, double *queue_time,
                 int64_t *seen) {
    Station at[MOST + 1]; /* the last is where arrivals come from: nobody waits there */
    memset(at, 0, sizeof at);
    for (int k = 0; k < count; k++) {
        at[k].servers = servers[k];
        at[k].family = (int32_t)family[k];
        at[k].a = a[k];
        at[k].b = b[k];
        for (int i = 0; i < MOST; i++) at[k].below[i] = UINT64_MAX;
        for (int i = 0; i < ways[k]; i++) {
            at[k].below[i] = i < ways[k] - 1 ? below[k * MOST + i] : UINT64_MAX;
            at[k].way[i] = (uint8_t)(way[k * MOST + i] < 0 ? OUT : way[k * MOST + i]);
        }
    }
    Slot *slots = aligned_alloc(64, (size_t)room * sizeof(Slot));
    uint32_t *head = calloc((size_t)(PARTS + days + 1), sizeof(uint32_t));
    uint32_t *next = calloc((size_t)room, sizeof(uint32_t));
    uint64_t marks[WORDS + 1] = {0};
    if (!slots || !head || !next) {
        free(slots);
        free(head);
        free(next);
        return -1;
    }
    const double horizon = (double)days, every = horizon / (double)snapshots;
    int64_t events = 0, snapshot = 0;
    double next_snapshot = 0.0;
    uint32_t unused = 0, top = 1;
    uint64_t born = 0, next_key = output(key, 0);
    double arrival = exponential(word(next_key, 0, STATIONS_OF_A_DRAW - 1, GAP)) / rate;

    for (int64_t day = 0; day < days; day++) {
        const double today = (double)day;
        for (uint32_t s = head[PARTS + day]; s;) {
            uint32_t after = next[s];
            unsigned part = (unsigned)((slots[s].time - today) * PARTS);
            next[s] = head[part];
            head[part] = s;
            marks[part >> 6] |= 1ull << (part & 63);
            s = after;
        }
        while (arrival < today + 1.0) {
            uint32_t s = unused;
            if (s) unused = next[s];
            else if ((int64_t)(s = top++) >= room) {
                free(slots);
                free(head);
                free(next);
                return -1;
            }
            unsigned part = (unsigned)((arrival - today) * PARTS);
            slots[s] = (Slot){.time = arrival, .key = next_key, .station = ARRIVAL, .to = 0};
            next[s] = head[part];
            head[part] = s;
            marks[part >> 6] |= 1ull << (part & 63);
            next_key = output(key, ++born);
            arrival += exponential(word(next_key, 0, STATIONS_OF_A_DRAW - 1, GAP)) / rate;
        }
        for (int w = 0; w < WORDS; w++) {
            while (marks[w]) {
                unsigned part = (unsigned)w * 64 + (unsigned)__builtin_ctzll(marks[w]);
                uint32_t s = head[part];
                if (!next[s]) {
                    head[part] = 0;
                    marks[w] &= marks[w] - 1;
                } else { /* several in this part of the day: the earliest */
                    uint32_t before = 0;
                    for (uint32_t previous = s, y = next[s]; y; previous = y, y = next[y])
                        if (slots[y].time < slots[s].time) s = y, before = previous;
                    if (before) next[before] = next[s];
                    else head[part] = next[s];
                }
                const double now = slots[s].time;
                while (now > next_snapshot && snapshot <= snapshots) {
                    for (int k = 0; k < count; k++) {
                        seen[(snapshot * count + k) * 2] = at[k].waiting;
                        seen[(snapshot * count + k) * 2 + 1] = at[k].busy;
                    }
                    next_snapshot = (double)++snapshot * every;
                }
                events++;
                uint32_t begin[2];
                int begins = 0;
                const uint8_t from = slots[s].station, to = slots[s].to;
                Station *left = &at[from];
                left->completions++;
                if (left->waiting) {
                    uint32_t first = left->head;
                    left->head = next[first];
                    left->waiting--;
                    left->wait += now - slots[first].since;
                    begin[begins++] = first;
                } else left->busy--;
                if (to == OUT) {
                    next[s] = unused;
                    unused = s;
                } else {
                    Station *k = &at[to];
                    slots[s].loop += (from != ARRIVAL) & (to <= from);
                    slots[s].station = to;
                    if (k->busy < k->servers) {
                        k->busy++;
                        begin[begins++] = s;
                    } else {
                        slots[s].since = now;
                        next[s] = 0;
                        if (k->waiting++) next[k->tail] = s;
                        else k->head = s;
                        k->tail = s;
                    }
                }
                for (int j = 0; j < begins; j++) {
                    Slot *one = &slots[begin[j]];
                    Station *k = &at[one->station];
                    uint64_t bits = word(one->key, one->loop, one->station, SERVICE);
                    double length = k->family == LOGNORMAL ? exp(k->a + k->b * normal(bits)) : k->a * exponential(bits);
                    bits = word(one->key, one->loop, one->station, ROUTE);
                    int i = 0; /* all bounds at once: a way is luck, and a branch on luck is mispredicted */
                    for (int j = 0; j < BOUNDS; j++) i += bits >= k->below[j];
                    one->to = k->way[i];
                    k->starts++;
                    double end = now + length;
                    one->time = end;
                    int64_t when = end < horizon ? (int64_t)end : days;
                    unsigned fine = (unsigned)(int64_t)((end - (double)when) * PARTS) & (PARTS - 1);
                    int same = when == day;
                    marks[same ? fine >> 6 : WORDS] |= 1ull << (fine & 63);
                    uint32_t *list = &head[same ? fine : PARTS + when];
                    next[begin[j]] = *list;
                    *list = begin[j];
                }
            }
        }
    }
    for (; snapshot <= snapshots; snapshot++)
        for (int k = 0; k < count; k++) {
            seen[(snapshot * count + k) * 2] = at[k].waiting;
            seen[(snapshot * count + k) * 2 + 1] = at[k].busy;
        }
    for (int k = 0; k < count; k++) {
        queue_time[k] = at[k].wait;
        for (uint32_t s = at[k].waiting ? at[k].head : 0; s; s = next[s]) queue_time[k] += horizon - slots[s].since;
        completions[k] = at[k].completions;
        wait[k] = at[k].wait;
    }
    free(slots);
    free(head);
    free(next);
    return events;
}
