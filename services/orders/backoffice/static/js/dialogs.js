// Native dialogs and messages: data-open="ID" opens, data-close closes, data-dismiss takes a message away.
document.addEventListener("click", (event) => {
  const target = event.target.closest?.("[data-open], [data-close], [data-dismiss]");
  if (!target) {
    if (event.target instanceof HTMLDialogElement && event.target.open) event.target.close();
    return;
  }
  if (target.dataset.open) {
    target.closest("[popover]")?.hidePopover();
    document.getElementById(target.dataset.open)?.showModal();
  } else if ("close" in target.dataset) {
    target.closest("dialog")?.close();
  } else {
    target.closest(".toast")?.remove();
  }
});

// What is put into the drawer's body opens the drawer.
document.addEventListener("htmx:after:swap", () => {
  const drawer = document.getElementById("drawer");
  const body = document.getElementById("drawer-body");
  if (drawer && body && body.childElementCount > 0 && body.dataset.shown !== body.innerHTML.length.toString()) {
    body.dataset.shown = body.innerHTML.length.toString();
    if (!drawer.open) drawer.showModal();
  }
});
document.addEventListener("close", (event) => {
  if (event.target.id === "drawer") {
    const body = document.getElementById("drawer-body");
    body.replaceChildren();
    delete body.dataset.shown;
  }
}, true);
