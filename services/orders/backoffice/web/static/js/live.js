// One stream a page, closed while the page is hidden. It tells ids of orders that changed:
//   elements with data-live-order="ID" get the event "live-order", those with data-live-list "live-list" (detail.orders,
//   detail.many). Pages answer with hx-trigger="live-order" or "live-list": they ask again, nothing moves by itself.
const address = document.body.dataset.live;
const light = document.getElementById("live");
let stream = null;
let last = null;
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
  open();
}
