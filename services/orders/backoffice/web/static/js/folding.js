// On a phone the parts of a page with data-fold are closed at first: each becomes a <details> below its heading, with
// the attribute's text beside it. A part stays open that the address names, or that holds an error or an open form.
// Links to a part open it, and so does printing.
const isPhone = matchMedia("(max-width: 640px)").matches;
const isNeeded = (part) => part.contains(named(location.hash)) || part.querySelector("[aria-invalid=true], [role=alert], details[open]");

// Anything may be typed into an address: a fragment that does not decode, as #%E0%A4%A, names no part.
function named(hash) {
  try {
    return document.getElementById(decodeURIComponent(hash.slice(1)));
  } catch {
    return null;
  }
}

function fold(part) {
  const head = part.querySelector(":scope > h2, :scope > .card-head");
  if (!head) return;
  const details = document.createElement("details");
  const summary = document.createElement("summary");
  const note = document.createElement("bdi");
  details.className = "foldable";
  details.open = Boolean(isNeeded(part));
  note.className = "soft small";
  note.textContent = part.dataset.fold;
  details.append(summary, ...[...part.childNodes].filter((node) => node !== head));
  summary.append(head, note);
  part.append(details);
}

function open(part) {
  const details = part?.closest(".card")?.querySelector(":scope > .foldable");
  if (details) details.open = true;
}

if (isPhone) {
  for (const part of document.querySelectorAll("[data-fold]")) fold(part);
  document.addEventListener("click", ({ target }) => {
    const link = target.closest?.("a[href^='#']");
    if (link) open(named(link.hash));
  });
  window.addEventListener("hashchange", () => open(named(location.hash)));
  window.addEventListener("beforeprint", () => { for (const one of document.querySelectorAll(".foldable")) one.open = true; });
}
