// Selected rows: all of a page at once, ranges with shift, and the bar of bulk actions.
//   [data-select-all], [data-select] in rows [data-row]; [data-bulk] holds [data-bulk-count] with data-one and data-many.
let last = null;

const boxes = () => [...document.querySelectorAll("[data-select]")];

function show() {
  const all = boxes();
  const count = all.filter((box) => box.checked).length;
  for (const box of all) box.closest("[data-row]")?.setAttribute("aria-selected", String(box.checked));
  const head = document.querySelector("[data-select-all]");
  if (head) {
    head.checked = count > 0 && count === all.length;
    head.indeterminate = count > 0 && count < all.length;
  }
  for (const bar of document.querySelectorAll("[data-bulk]")) {
    bar.hidden = count === 0;
    const text = bar.querySelector("[data-bulk-count]");
    if (text) text.textContent = (count === 1 ? text.dataset.one : text.dataset.many).replace("{count}", String(count));
  }
}

document.addEventListener("click", (event) => {
  const box = event.target;
  if (!(box instanceof HTMLInputElement)) return;
  if ("selectAll" in box.dataset) {
    for (const one of boxes()) one.checked = box.checked;
  } else if ("select" in box.dataset) {
    const all = boxes();
    if (event.shiftKey && last?.isConnected) {
      const [from, to] = [all.indexOf(last), all.indexOf(box)].sort((a, b) => a - b);
      for (const one of all.slice(from, to + 1)) one.checked = box.checked;
    }
    last = box;
  } else {
    return;
  }
  show();
});
document.addEventListener("htmx:after:swap", show);
window.addEventListener("pageshow", show);
show();
