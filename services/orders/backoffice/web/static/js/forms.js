// Forms are sent once: the button rests while the answer is awaited. A form in progress sends itself again when its
// command has an outcome; the key in it makes that the same request.
document.addEventListener("submit", (event) => {
  if (event.defaultPrevented) return;
  const button = event.submitter;
  if (button) setTimeout(() => { button.setAttribute("aria-busy", "true"); button.disabled = true; });
});
window.addEventListener("pageshow", () => {
  for (const button of document.querySelectorAll("[aria-busy=true]")) {
    button.removeAttribute("aria-busy");
    button.disabled = false;
  }
});

// A quantity that is changed chooses «chosen» of the radios it belongs to, and one parcel for all takes all again; a
// browser without scripts is asked by the server when the two disagree.
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
    } catch { /* the next look may succeed */ }
    pause = Math.min(pause * 1.3, 5000);
    setTimeout(look, pause);
  };
  setTimeout(look, pause);
}
