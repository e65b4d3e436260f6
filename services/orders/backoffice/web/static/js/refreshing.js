// Regions that ask again by themselves, every few seconds; with data-refresh="live" only after orders have changed.
// Nothing is replaced while the page is hidden or the region has the focus or a selection in it; regions whose rows may
// move (data-still) also rest while the pointer is over them.
const EVERY_MILLISECONDS = 5000;
const changed = new WeakSet();
const regions = () => document.querySelectorAll("[data-refresh]");

function rests(region) {
  const selection = document.getSelection();
  return document.hidden
    || region.contains(document.activeElement)
    || (selection && !selection.isCollapsed && region.contains(selection.anchorNode))
    || ("still" in region.dataset && region.matches(":hover"))
    || (region.dataset.refresh === "live" && !changed.has(region));
}

// A service that is away for a moment does not take the page away: it is asked again.
document.addEventListener("htmx:before:response", (event) => {
  const { sourceElement, response } = event.detail.ctx;
  if (sourceElement?.matches?.("[data-refresh]") && response.status >= 500) event.preventDefault();
});

// What somebody opened or closed stays so when its region is replaced.
const unfolded = new Map();
document.addEventListener("toggle", ({ target }) => {
  if (target.id && target.closest("[data-refresh]")) unfolded.set(target.id, target.open);
}, true);
document.addEventListener("htmx:after:swap", () => {
  for (const [id, open] of unfolded) {
    const details = document.getElementById(id);
    if (details && details.open !== open) details.open = open;
  }
});

for (const region of regions()) region.addEventListener("live-list", () => changed.add(region));

setInterval(() => {
  for (const region of regions()) {
    if (rests(region)) continue;
    changed.delete(region);
    region.dispatchEvent(new CustomEvent("refresh"));
  }
}, EVERY_MILLISECONDS);
