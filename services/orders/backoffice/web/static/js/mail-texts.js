// The editor of a mail's texts: a placeholder is inserted at the last cursor position, and the preview is updated
// while typing.
const form = document.getElementById("text-form");
const preview = form && document.getElementById(form.dataset.preview);
const PAUSE_MILLISECONDS = 600;

let last = form?.querySelector("textarea[data-text]");
form?.addEventListener("focusin", ({ target }) => {
  if (target.matches("[data-text]")) last = target;
});
form?.addEventListener("click", ({ target }) => {
  const button = target.closest("[data-insert]");
  if (!button || !last) return;
  last.setRangeText(button.dataset.insert, last.selectionStart, last.selectionEnd, "end");
  last.focus();
  last.dispatchEvent(new Event("input", { bubbles: true }));
});

let waiting;
const show = () => form.requestSubmit(preview);
form?.addEventListener("input", () => {
  clearTimeout(waiting);
  waiting = setTimeout(show, PAUSE_MILLISECONDS);
});
if (preview) show();
