// What every page does once scripts run. Each part stands alone; without any of them the pages still work.
import "./dialogs.js";
import "./forms.js";
import "./live.js";
import "./printing.js";
import "./selection.js";
import "./shortcuts.js";

document.documentElement.classList.add("scripted");

// On a narrow screen the tab one is on is brought into sight.
for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
  const bar = tab.closest(".tabs");
  const [seen, whole] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
  if (seen.right > whole.right) bar.scrollLeft += seen.right - whole.right;
}
