// The page works without this file; it smooths three edges.
"use strict";

// A status that is there when the page arrives is not read out; one that appears later is.
const status = document.getElementById("status");
if (status && status.textContent) {
  const text = status.textContent;
  status.textContent = "";
  requestAnimationFrame(() => requestAnimationFrame(() => { status.textContent = text; }));
}

// A second press before the answer has come must not add an item twice.
document.addEventListener("submit", (event) => {
  if (event.target.dataset.sent) {
    event.preventDefault();
  }
  event.target.dataset.sent = "yes";
});

// A page brought back by the back button may be out of date.
window.addEventListener("pageshow", (event) => {
  if (event.persisted) {
    location.reload();
  }
});
