// The orders list: tags beside a code, and live rows that do not move.
const table = document.getElementById("orders");
const bar = document.getElementById("bulk");
const pop = document.getElementById("tag-pop");

// Selecting all orders of the list, not only of this page: this ticks all boxes, and unticking one reverts it.
const boxes = () => [...document.querySelectorAll("#orders tbody [data-select]")];
const everything = bar?.querySelector("[name=everything]");

everything?.addEventListener("change", () => {
  const head = document.querySelector("[data-select-all]");
  if (everything.checked && !head.checked) head.click();
});
document.addEventListener("click", (event) => {
  if (everything && event.target.matches("[data-select], [data-select-all]") && !event.target.checked) everything.checked = false;
});

// Tags: the popover opens at the code that was hovered or whose button was pressed, once its content is there.
let anchor = null;
let resting = null;

function open(button) {
  anchor = button;
  if (!pop.matches(":popover-open")) pop.replaceChildren();
}

function place() {
  if (!anchor || !pop.firstElementChild) return;
  if (!pop.matches(":popover-open")) pop.showPopover({ source: anchor });
}

table?.addEventListener("click", (event) => {
  const button = event.target.closest(".tag-open");
  if (button) open(button);
}, true);
table?.addEventListener("pointerover", (event) => {
  clearTimeout(resting);
  const code = event.pointerType === "mouse" && event.target.closest(".code-line");
  if (!code || pop.matches(":popover-open")) return;
  resting = setTimeout(() => code.querySelector(".tag-open")?.click(), 600);
});
table?.addEventListener("pointerout", () => clearTimeout(resting));
table?.addEventListener("pointerdown", () => clearTimeout(resting));
pop?.addEventListener("toggle", (event) => {
  if (event.newState === "open") pop.querySelector("button, input")?.focus({ preventScroll: true });
  else pop.replaceChildren();
});
document.addEventListener("htmx:after:swap", () => {
  if (!pop?.firstElementChild) return;
  place();
  const editor = pop.querySelector("[data-order]");
  if (editor && pop.dataset.shown === editor.dataset.order) renew([editor.dataset.order]);
  pop.dataset.shown = editor?.dataset.order ?? "";
});

// Changed rows are fetched in one request and replaced in place.
const waiting = new Set();
let timer = null;

function renew(orders) {
  for (const order of orders) if (document.getElementById(`order-${order}`)) waiting.add(order);
  if (waiting.size === 0) return;
  clearTimeout(timer);
  timer = setTimeout(fetchRows, 250);
}

async function fetchRows() {
  const orders = [...waiting].slice(0, 100);
  waiting.clear();
  const query = new URLSearchParams(orders.map((order) => ["order", order]));
  const answer = await fetch(`${table.dataset.rows}?${query}`).catch(() => null);
  if (!answer?.ok) return;
  const page = new DOMParser().parseFromString(await answer.text(), "text/html");
  for (const fresh of page.querySelectorAll("tr[data-order]")) put(fresh);
}

function put(fresh) {
  const old = document.getElementById(fresh.id);
  if (!old || old.querySelector(":popover-open")) return;
  const focusable = "a, button, input";
  const at = [...old.querySelectorAll(focusable)].indexOf(document.activeElement);
  fresh.querySelector("input[name=order]").checked = old.querySelector("input[name=order]").checked;
  if (old.classList.contains("current")) fresh.classList.add("current");
  if (old.ariaSelected) fresh.ariaSelected = old.ariaSelected;
  const row = document.adoptNode(fresh);
  if (anchor && old.contains(anchor)) anchor = row.querySelector(".tag-open");
  old.replaceWith(row);
  window.htmx?.process(row);
  if (at >= 0) row.querySelectorAll(focusable)[at]?.focus({ preventScroll: true });
}

table?.addEventListener("live-list", (event) => {
  const { orders, many } = event.detail;
  renew(many ? boxes().map((box) => box.value) : orders ?? []);
});
