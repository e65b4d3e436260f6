// Native dialogs and messages: data-open="ID" opens a dialog, data-close closes it, data-dismiss removes a message.
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

// Content that htmx puts into the drawer's body opens the drawer; closing the drawer empties it and restores the focus.
let opener = null;
document.addEventListener("htmx:after:swap", (event) => {
  const target = event.detail?.ctx?.target;
  const drawer = document.getElementById("drawer");
  if (!drawer || target?.id !== "drawer-body") return;
  if (!drawer.open) {
    opener = event.detail.ctx.sourceElement;
    drawer.showModal();
  }
  drawer.scrollTop = 0;
});
document.addEventListener("close", (event) => {
  if (event.target.id !== "drawer") return;
  document.getElementById("drawer-body").replaceChildren();
  if (opener?.isConnected) opener.focus();
}, true);
