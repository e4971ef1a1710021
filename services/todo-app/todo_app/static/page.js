// The page also works without this file, which adds three improvements.
"use strict";

// Screen readers announce a status only if it appears after the page has loaded.
const status = document.getElementById("status");
if (status && status.textContent) {
  const text = status.textContent;
  status.textContent = "";
  requestAnimationFrame(() => requestAnimationFrame(() => { status.textContent = text; }));
}

// A second press before the response arrives must not add the item twice.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
  }
  event.target.dataset.sent = "yes";
});

// A page restored by the back button may be outdated.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});
