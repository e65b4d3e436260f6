// Scripts of every page. Each part is independent; without any of them the pages still work.
import "./dialogs.js";
import "./forms.js";
import "./live.js";
import "./printing.js";
import "./selection.js";
import "./shortcuts.js";

document.documentElement.classList.add("scripted");

// On a narrow screen, scroll the tab bar so that the current tab is in the middle, also after the bar was replaced.
function bringTabIntoSight() {
  for (const tab of document.querySelectorAll(".tabs [aria-current]")) {
    const bar = tab.closest(".tabs");
    const [seen, whole] = [tab.getBoundingClientRect(), bar.getBoundingClientRect()];
    if (seen.right > whole.right || seen.left < whole.left) {
      bar.scrollLeft += seen.left + seen.width / 2 - whole.left - whole.width / 2;
    }
  }
}
bringTabIntoSight();
document.addEventListener("htmx:after:swap", bringTabIntoSight);
