// Streamlit's own words in the visitor's language, and what a file picker offers. Streamlit has no translations, and
// its words are not in the page that flowsim builds: they are replaced where they appear. WORDS: pairs of its sentence
// and ours, with {gaps}; ACCEPTS: the ending of files by the key of an upload.
(() => {
  const OURS = '[class*="fs-"]:not(html), [data-testid="stHtml"], [data-testid="stPlotlyChart"], '
    + '[data-testid="stFileChipName"], [data-testid="stIconMaterial"], script, style, svg';
  const LABELS = ['aria-label', 'placeholder', 'title', 'alt'];
  const accepts = ACCEPTS;
  const regular = (said) => said.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{(\w+)\}/g, '(?<$1>.+)');
  const rules = WORDS.map(([said, ours]) => [new RegExp(`^${regular(said)}$`), ours]);
  const worded = (text) => {
    const plain = text.trim();
    for (const [pattern, ours] of plain ? rules : []) {
      const found = pattern.exec(plain);
      if (found) return text.replace(plain, () => ours.replace(/\{(\w+)\}/g, (_, name) => found.groups[name]));
    }
    return text;
  };
  const made = window.flowsimWords?.made ?? new WeakMap();  // node -> what Streamlit said in each place, and we made of it
  const replaced = (node, place, text) => {
    const before = made.get(node) ?? {};
    const said = before[place]?.ours === text ? before[place].said : text;
    const ours = worded(said);
    if (ours !== said || before[place]) made.set(node, { ...before, [place]: { said, ours } });
    return ours;
  };
  const ofText = (node) => {
    const parent = node.parentElement;
    if (!parent || parent.closest(OURS) || parent.closest('[data-testid="stCode"]')) return;
    if (parent.closest('[data-testid="stMarkdownContainer"]') && !parent.closest('[data-testid="stFileUploader"]')) return;
    const ours = replaced(node, 'text', node.nodeValue);
    if (ours !== node.nodeValue) node.nodeValue = ours;
  };
  const ofElement = (element) => {
    if (element.closest(OURS)) return;
    for (const label of LABELS) {
      if (!element.hasAttribute(label)) continue;
      const ours = replaced(element, label, element.getAttribute(label));
      if (ours !== element.getAttribute(label)) element.setAttribute(label, ours);
    }
    if (element.type === 'file') {
      for (const [key, ending] of Object.entries(accepts)) {
        if (element.closest(`[class*="st-key-${key}-"]`)) element.setAttribute('accept', ending);
      }
    }
  };
  const all = (node) => {
    if (node.nodeType === Node.TEXT_NODE) ofText(node);
    if (node.nodeType !== Node.ELEMENT_NODE) return;
    const walker = document.createTreeWalker(node, NodeFilter.SHOW_ELEMENT | NodeFilter.SHOW_TEXT);
    for (let one = node; one; one = walker.nextNode()) (one.nodeType === Node.TEXT_NODE ? ofText : ofElement)(one);
  };
  window.flowsimWords?.observer.disconnect();
  const observer = new MutationObserver((changes) => changes.forEach((change) => {
    if (change.type === 'childList') change.addedNodes.forEach(all);
    else if (change.type === 'characterData') ofText(change.target);
    else ofElement(change.target);
  }));
  observer.observe(document.body, {
    childList: true, subtree: true, characterData: true, attributes: true, attributeFilter: LABELS,
  });
  window.flowsimWords = { made, observer };
  all(document.body);
})();
