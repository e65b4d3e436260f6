// Regions that poll every few seconds; with data-refresh="live" only after orders have changed.
// Nothing is replaced while the page is hidden or the region has the focus or a selection in it; regions whose
// rows may move (data-still) are not replaced either while the pointer is over them. Typed values are kept.
const EVERY_MILLISECONDS = 5000;
const changed = new WeakSet();
const regions = () => document.querySelectorAll("[data-refresh]");

function isInUse(region) {
  const selection = document.getSelection();
  return document.hidden
    || region.contains(document.activeElement)
    || (selection && !selection.isCollapsed && region.contains(selection.anchorNode))
    || ("still" in region.dataset && region.matches(":hover"));
}

// A temporary server error does not replace the region: the next poll tries again.
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (sourceElement?.matches?.("[data-refresh]") && response.status >= 500) event.preventDefault();
});

// A response to a region that came into use in the meantime is discarded: the region is fetched again later.
document.addEventListener("htmx:before:swap", (event) => {
  const { sourceElement } = event.detail.ctx;
  if (!sourceElement?.matches?.("[data-refresh]") || !isInUse(sourceElement)) return;
  event.preventDefault();
  changed.add(sourceElement);
});

// The open state of <details> and the typed values are kept when their region is replaced.
const unfolded = new Map();
const typed = new Map();
document.addEventListener("input", ({ target }) => {
  if (target.id && target.form && target.closest("[data-refresh]")) typed.set(target.id, target.value);
}, true);
document.addEventListener("toggle", ({ target }) => {
  if (target.id && target.closest("[data-refresh]")) unfolded.set(target.id, target.open);
}, true);
document.addEventListener("htmx:after:swap", () => {
  for (const [id, open] of unfolded) {
    const details = document.getElementById(id);
    if (details && details.open !== open) details.open = open;
  }
  for (const [id, text] of typed) {
    const field = document.getElementById(id);
    if (field && field.value !== text) field.value = text;
  }
});

for (const region of regions()) region.addEventListener("live-list", () => changed.add(region));

setInterval(() => {
  for (const region of regions()) {
    if (isInUse(region) || (region.dataset.refresh === "live" && !changed.has(region))) continue;
    changed.delete(region);
    region.dispatchEvent(new CustomEvent("refresh"));
  }
}, EVERY_MILLISECONDS);
