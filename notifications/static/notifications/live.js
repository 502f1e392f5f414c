// Renews the parts of a page while it is open. Changes only what differs, so that scrolling, a selection, the focus and
// opened details stay, and a screen reader reads only what is marked to be read. Without JavaScript the page is complete
// as it was loaded.
const page = document.querySelector("[data-live]");
const live = page.querySelector(".live");
const switched = live.querySelector("input");
const trouble = live.querySelector("[role=alert]");

function become(shown, found) {
  if (shown.nodeName !== found.nodeName) {
    shown.replaceWith(found);
  } else if (shown.nodeType !== Node.ELEMENT_NODE) {
    if (shown.data !== found.data) {
      shown.data = found.data;
    }
  } else {
    for (const { name, value } of [...found.attributes]) {
      if (shown.getAttribute(name) !== value) {
        shown.setAttribute(name, value);
      }
    }
    for (const { name } of [...shown.attributes]) {
      if (name !== "open" && !found.hasAttribute(name)) {
        shown.removeAttribute(name);
      }
    }
    if (shown.childNodes.length === found.childNodes.length) {
      const wanted = [...found.childNodes];
      [...shown.childNodes].forEach((child, place) => become(child, wanted[place]));
    } else {
      shown.replaceChildren(...found.childNodes);
    }
  }
}

async function renew(address) {
  const answer = await fetch(address, { headers: { Accept: "text/html" }, signal: AbortSignal.timeout(20000) });
  if (answer.redirected || answer.status === 403) {
    // The session has ended, or the permission is gone: the whole page says so.
    location.reload();
  } else if (!answer.ok) {
    throw new Error(answer.status);
  } else {
    const found = new DOMParser().parseFromString(await answer.text(), "text/html");
    found.querySelectorAll("[data-part]").forEach((part) => {
      become(page.querySelector(`[data-part="${part.dataset.part}"]`), part);
    });
  }
}

function keep(address, everyMs) {
  let due = Date.now() + everyMs;
  let busy = false;
  const turn = async () => {
    if (busy || document.hidden || !switched.checked || Date.now() < due) {
      return;
    }
    busy = true;
    try {
      await renew(address);
      trouble.hidden = true;
    } catch {
      trouble.hidden = false;
    }
    busy = false;
    due = Date.now() + everyMs;
  };
  setInterval(turn, 1000);
  document.addEventListener("visibilitychange", turn);
}

const words = page.dataset.live.split(" ");
for (let place = 0; place < words.length; place += 2) {
  keep(words[place], 1000 * Number(words[place + 1]));
}
live.hidden = false;
