// The conversation: the typed text is stored as a draft, quick replies are inserted at the cursor, and visible
// messages are marked as read. Parts of the page may be loaded later, so all listeners are on the document.
const PAUSE_MILLISECONDS = 2000;
const timers = new WeakMap();
const kept = new WeakMap();
const sent = new WeakSet();

const box = (form) => form.querySelector("textarea[name=text]");

function say(form, state) {
  const place = form.querySelector("[data-draft-state]");
  if (place) place.textContent = state === "ok" ? form.dataset.saved : state === "failed" ? form.dataset.failed : "";
}

async function keep(form, leaving = false) {
  clearTimeout(timers.get(form));
  const text = box(form)?.value;
  if (text === undefined || sent.has(form) || kept.get(form) === text) return;
  kept.set(form, text);
  const fields = new URLSearchParams(new FormData(form));
  fields.delete("reply");
  try {
    // The header requests a partial response, as htmx does; `keepalive` lets the request outlive the page.
    const headers = { "HX-Request-Type": "partial" };
    const answer = await fetch(form.dataset.draft, { method: "POST", body: fields, headers, keepalive: leaving });
    if (!answer.ok) throw new Error(String(answer.status));
    if (!leaving) say(form, "ok");
  } catch {
    kept.delete(form);
    if (!leaving) say(form, "failed");
  }
}

const forms = () => [...document.querySelectorAll("form[data-draft]")];

document.addEventListener("input", ({ target }) => {
  const form = target.closest?.("form[data-draft]");
  if (!form || target !== box(form)) return;
  say(form, "");
  clearTimeout(timers.get(form));
  timers.set(form, setTimeout(() => keep(form), PAUSE_MILLISECONDS));
});
document.addEventListener("submit", ({ target }) => {
  if (!target.matches("form[data-draft]")) return;
  sent.add(target);
  clearTimeout(timers.get(target));
  // The message may show before the page is replaced; anything typed until then would be lost.
  box(target).readOnly = true;
});
window.addEventListener("pageshow", () => {
  for (const form of forms()) { sent.delete(form); box(form).readOnly = false; }
});
window.addEventListener("pagehide", () => { for (const form of forms()) if (timers.has(form)) keep(form, true); });

// A quick reply is inserted at the cursor, like typed text.
document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-insert]");
  const area = button && box(button.form);
  if (!area) return;
  event.preventDefault();
  button.closest("[popover]")?.hidePopover();
  const before = area.value.slice(0, area.selectionStart);
  const gap = before && !before.endsWith("\n") ? "\n\n" : "";
  area.setRangeText(gap + button.dataset.insert, area.selectionStart, area.selectionEnd, "end");
  area.dispatchEvent(new Event("input", { bubbles: true }));
  area.focus();
});

// Visible messages are marked as read, once for each state of the thread.
const watcher = new IntersectionObserver((entries) => {
  for (const { isIntersecting, target } of entries) if (isIntersecting) markAsRead(target);
});

async function markAsRead(form) {
  if (document.hidden) return;
  watcher.unobserve(form);
  const headers = { "HX-Request-Type": "partial" };
  const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)), headers })
    .catch(() => null);
  if (answer?.ok) form.remove();
}

function watch() {
  for (const form of document.querySelectorAll("form[data-mark-read]")) watcher.observe(form);
}

// The conversation's own page scrolls to its last message.
if (!location.hash) document.querySelector("[data-last] .messages > :last-child")?.scrollIntoView({ block: "center" });

watch();
document.addEventListener("htmx:after:swap", watch);
document.addEventListener("visibilitychange", () => {
  for (const form of document.querySelectorAll("form[data-mark-read]")) { watcher.unobserve(form); watcher.observe(form); }
});
