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
