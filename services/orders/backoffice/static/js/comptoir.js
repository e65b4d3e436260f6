// What every page does once scripts run. Each part stands alone; without any of them the pages still work.
import "./dialogs.js";
import "./forms.js";
import "./live.js";
import "./printing.js";
import "./selection.js";
import "./shortcuts.js";

document.documentElement.classList.add("scripted");
