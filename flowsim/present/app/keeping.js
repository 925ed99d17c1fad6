// Counts of the visitor over a reload: in the memory of the browser's own tab (sessionStorage), which no server and no
// other tab reads, and which ends with the tab.
export default ({ data, setTriggerValue }) => {
  const KEY = 'flowsim-counts';
  if (data.turn < (globalThis.flowsimTurn ?? 0)) return; // Streamlit sometimes says again what it said before
  globalThis.flowsimTurn = data.turn;
  try {
    if (data.keep) sessionStorage.setItem(KEY, data.keep);
    else if (data.forget) sessionStorage.removeItem(KEY);
    else if (sessionStorage.getItem(KEY)) setTriggerValue('kept', sessionStorage.getItem(KEY));
  } catch { /* a browser that keeps nothing: the page goes on without */ }
};
