// One event stream per page, closed while the page is hidden. Its events contain the ids of changed orders:
//   elements with data-live-order="ID" get the event "live-order", those with data-live-list "live-list"
//   (detail.orders, detail.many). Pages use them as hx-trigger and fetch their content again; no row moves without
//   the user's action. The first stream is opened once every listener is there, and begins with what changed since
//   the page was rendered.
const address = document.body.dataset.live;
const light = document.getElementById("live");
let stream = null;
let last = document.body.dataset.liveAfter ?? null;
let waiting = null;

function show(state) {
  if (!light) return;
  light.dataset.state = state;
  const text = state === "on" ? light.dataset.on : light.dataset.off;
  light.title = text;
  light.setAttribute("aria-label", text);
}

function tell(detail) {
  const named = new Set(detail.orders ?? []);
  for (const element of document.querySelectorAll("[data-live-order]")) {
    if (detail.many || named.has(element.dataset.liveOrder)) element.dispatchEvent(new CustomEvent("live-order", { detail }));
  }
  for (const element of document.querySelectorAll("[data-live-list]")) {
    element.dispatchEvent(new CustomEvent("live-list", { detail }));
  }
}

function close() {
  stream?.close();
  stream = null;
  clearTimeout(waiting);
  show("off");
}

function open() {
  if (stream || document.hidden) return;
  stream = new EventSource(last ? `${address}?after=${encodeURIComponent(last)}` : address);
  const remember = (event) => { if (event.lastEventId) last = event.lastEventId; };
  stream.addEventListener("open", () => show("on"));
  stream.addEventListener("hello", remember);
  stream.addEventListener("orders", (event) => { remember(event); tell(JSON.parse(event.data)); });
  stream.addEventListener("again", (event) => { remember(event); tell({ many: true }); });
  stream.addEventListener("goodbye", (event) => {
    close();
    waiting = setTimeout(open, JSON.parse(event.data).after);
  });
  stream.addEventListener("error", () => {
    close();
    waiting = setTimeout(open, 3000 + Math.random() * 4000);
  });
}

if (address) {
  document.addEventListener("visibilitychange", () => (document.hidden ? close() : open()));
  window.addEventListener("pagehide", close);
  window.addEventListener("pageshow", open);
  document.addEventListener("DOMContentLoaded", open);
}
