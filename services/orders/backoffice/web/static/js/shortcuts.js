// Keyboard shortcuts, inactive when they are switched off, a modifier is held, or the user is typing (WCAG 2.1.4).
// A page names its rows with data-row (and data-href, data-preview inside), its search with data-search, and
// assigns a key to any button or link with data-key="e". Ctrl or Cmd with K focuses the search, also while typing.
const GOES = { h: "/", o: "/orders", p: "/payments", s: "/stock", c: "/parcels", m: "/mails", e: "/operations" };
let prefix = false;

const rows = () => [...document.querySelectorAll("[data-row]")];
const current = () => document.querySelector("[data-row].current");

function move(step) {
  const all = rows();
  if (all.length === 0) return;
  const now = current();
  const next = all[Math.max(0, Math.min(all.length - 1, now ? all.indexOf(now) + step : 0))];
  now?.classList.remove("current");
  next.classList.add("current");
  next.querySelector("a, button, input")?.focus({ preventScroll: true });
  next.scrollIntoView({ block: "nearest" });
}

function go(key) {
  const there = document.querySelector(`.side a[href="${GOES[key]}"]`);
  if (there) location.assign(there.href);
}

// The page's own search field, else the search of all orders if it is visible.
function searchField() {
  const fields = [...document.querySelectorAll("main [data-search], [data-search]")];
  return fields.filter((field) => field.checkVisibility()).sort((one) => (one.closest("main") ? -1 : 1))[0];
}

function goToSearch() {
  const field = searchField();
  if (field) field.focus();
  else if (document.querySelector('.side a[href="/orders"]')) location.assign("/orders#search");
}

const KEYS = {
  "/": goToSearch,
  j: () => move(1),
  k: () => move(-1),
  x: () => current()?.querySelector("input[type=checkbox]")?.click(),
  Enter: () => { const row = current(); if (row?.dataset.href) location.assign(row.dataset.href); },
  " ": () => current()?.querySelector("[data-preview]")?.click(),
  "?": () => document.getElementById("shortcut-help")?.showModal(),
  g: () => { prefix = true; setTimeout(() => { prefix = false; }, 1200); },
};

function isTyping(element) {
  return element.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(element.tagName) && element.type !== "checkbox";
}

document.addEventListener("keydown", (event) => {
  const search = searchField();
  if (search && event.key === "k" && (event.ctrlKey || event.metaKey) && !event.altKey && !event.shiftKey) {
    event.preventDefault();
    search.focus();
    search.select();
    return;
  }
  if (event.ctrlKey || event.metaKey || event.altKey || event.defaultPrevented || event.isComposing) return;
  if (document.documentElement.dataset.shortcuts === "off" || isTyping(event.target)) return;
  if (document.querySelector("dialog[open]")) return;
  if (prefix && GOES[event.key]) { prefix = false; event.preventDefault(); go(event.key); return; }
  const own = /^[a-z]$/.test(event.key) ? document.querySelector(`[data-key="${event.key}"]`) : null;
  const action = KEYS[event.key] ?? (own && (() => own.click()));
  if (!action) return;
  if (event.key === "Enter" || event.key === " ") {
    if (event.target.closest("a, button, summary, [role=button]") && !event.target.closest("[data-row]")) return;
    if (!current() || event.target.closest("button")) return;
  }
  event.preventDefault();
  action();
});

if (location.hash === "#search") goToSearch();
