// Pages of operations ask again every few seconds. Nothing is replaced while it is hidden, has the focus or a selection
// in it; regions whose rows may move (data-still) also rest while the pointer is over them.
const EVERY_MILLISECONDS = 5000;

function rests(region) {
  const selection = document.getSelection();
  return document.hidden
    || region.contains(document.activeElement)
    || (selection && !selection.isCollapsed && region.contains(selection.anchorNode))
    || ("still" in region.dataset && region.matches(":hover"));
}

setInterval(() => {
  for (const region of document.querySelectorAll("[data-refresh]")) {
    if (!rests(region)) region.dispatchEvent(new CustomEvent("refresh"));
  }
}, EVERY_MILLISECONDS);
