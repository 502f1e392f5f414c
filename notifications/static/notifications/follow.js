// Parts of a page that refresh themselves: each names the URL of its newer version, until that names none.
function refresh(part) {
  setTimeout(async () => {
    if (!part.isConnected) {
      return;
    }
    const fresh = document.hidden ? part : await newer(part);
    if (fresh !== part) {
      part.replaceWith(fresh);
      await refreshRest();
    }
    if (fresh.dataset.liveUrl) {
      refresh(fresh);
    }
  }, 1000 * Number(part.dataset.liveS));
}

// What else the page says about a message that has changed: its explanation, fields, timeline and buttons.
async function refreshRest() {
  const rest = document.querySelectorAll("[data-follows]");
  if (rest.length === 0) {
    return;
  }
  try {
    const answer = await fetch(location.href, { redirect: "error" });
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    rest.forEach((part) => {
      const fresh = page.querySelector(`[data-follows="${part.dataset.follows}"]`);
      if (fresh) {
        part.replaceWith(fresh);
      }
    });
  } catch {
    // The next change refreshes it.
  }
}

// The server's version, or the same part if the server cannot be reached or nothing has changed.
async function newer(part) {
  try {
    const answer = await fetch(part.dataset.liveUrl, { redirect: "error" });
    if (!answer.ok) {
      return part;
    }
    const holder = document.createElement("template");
    holder.innerHTML = (await answer.text()).trim();
    const fresh = holder.content.firstElementChild;
    return fresh && !fresh.isEqualNode(part) ? fresh : part;
  } catch {
    return part;
  }
}

document.querySelectorAll("[data-live-url]").forEach(refresh);
