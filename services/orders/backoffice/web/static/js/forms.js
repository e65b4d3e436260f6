// Forms are sent once: the button is disabled until the response arrives, unless the form targets a frame. A form
// in progress is resubmitted when its command has an outcome; its key makes that the same request.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const button = event.submitter;
  if (button && !button.formTarget) setTimeout(() => { button.setAttribute("aria-busy", "true"); button.disabled = true; });
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy=true]")) {
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
});

// Changing a quantity selects the radio «chosen» of its group, and selecting «one» resets all quantities; without
// scripts, the server rejects a form in which the two contradict each other.
document.addEventListener("input", (event) => {
  const quantities = event.target.closest?.("[data-quantities]");
  const radio = (value) => event.target.form.querySelector(
    `[name="${quantities?.dataset.quantities ?? event.target.name}"][value="${value}"]`);
  if (quantities) {
    if (radio("one").checked) radio("chosen").checked = true;
  } else if (event.target.type === "radio" && event.target.value === "one") {
    for (const field of event.target.form.querySelectorAll(`[data-quantities="${event.target.name}"] input[max]`)) {
      field.value = field.max;
    }
  }
});

const panel = document.querySelector("[data-progress]");
if (panel) {
  let pause = 700;
  const look = async () => {
    try {
      const answer = await fetch(panel.dataset.progress, { headers: { Accept: "application/json" } });
      const { state } = await answer.json();
      if (state === "done" || state === "rejected") {
        panel.querySelector("[data-progress-form]").requestSubmit();
        return;
      }
    } catch { /* the next request may succeed */ }
    pause = Math.min(pause * 1.3, 5000);
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}
