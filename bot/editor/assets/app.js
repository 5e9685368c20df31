// The pages work without this script. With it, the code of a link fills itself in, what there is to say about a text comes
// while one types, and nothing typed is lost by leaving.
"use strict";
(() => {
  const $ = (selector, within = document) => within.querySelector(selector);

  // What is wrong is read out first, and gone to.
  $("[data-focus]")?.focus();

  // ---- the way in: the code stands behind the # of the link, which only this page sees
  const door = $("#in");
  if (door) {
    const code = location.hash.slice(1);
    if (/^[A-Z2-7]{20,40}$/.test(code)) {
      history.replaceState(null, "", location.pathname + location.search);
      $("#code").value = code;
      $("#code-field").hidden = true;
      $("#code-known").hidden = false;
    }
  }

  // ---- the form: checked while one types
  const form = $("#entry");
  if (!form) return;
  const state = $("#checking");
  let timer = 0, asked = 0, changed = "unsaved" in form.dataset;

  const check = async () => {
    const mine = ++asked;
    const sent = new URLSearchParams(new FormData(form));
    sent.set("t", form.dataset.token);
    let answer;
    try {
      const r = await fetch(form.dataset.check, { method: "POST", body: sent, credentials: "same-origin", redirect: "error" });
      if (!r.ok) throw new Error();
      answer = new DOMParser().parseFromString(await r.text(), "text/html");
    } catch {
      if (mine === asked) state.textContent = form.dataset.failed;
      return;
    }
    if (mine !== asked) return; // something newer is on its way
    $("#live").replaceChildren(...$("#live", answer).childNodes);
    for (const now of answer.querySelectorAll("body > [data-says]")) {
      const old = form.querySelector(`[data-says="${CSS.escape(now.dataset.says)}"]`);
      if (!old) continue;
      if (!old.isEqualNode(now)) old.replaceChildren(...now.childNodes);
      const wrong = now.dataset.wrong === "true";
      old.closest("[data-field]").classList.toggle("utrecht-form-field--invalid", wrong);
      const input = $(`#${CSS.escape(old.id.slice(2))}`, form);
      if (input && input.nodeName !== "FIELDSET") wrong ? input.setAttribute("aria-invalid", "true") : input.removeAttribute("aria-invalid");
    }
    state.textContent = $("#counted")?.textContent ?? "";
    form.dataset.checked = String(mine);
  };
  const soon = () => {
    changed = true;
    clearTimeout(timer);
    timer = setTimeout(check, 600);
  };
  form.addEventListener("input", soon);
  form.addEventListener("change", soon);
  form.addEventListener("submit", () => { changed = false; });
  addEventListener("beforeunload", (e) => { if (changed) e.preventDefault(); });
  $("#check").addEventListener("click", (e) => { e.preventDefault(); clearTimeout(timer); check(); });

  // A link to a field inside a folded part unfolds it.
  const unfold = () => {
    const at = location.hash && document.getElementById(location.hash.slice(1));
    const fold = at?.closest("details");
    if (fold) fold.open = true;
    at?.focus();
  };
  addEventListener("hashchange", unfold);
  document.addEventListener("click", (e) => { if (e.target.closest?.('a[href^="#f-"]')) setTimeout(unfold); });
})();
