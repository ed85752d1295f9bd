// The front desk without waiting: results while one types, duplicates, what arrived later, drafts, printing.
// Every page works without this file. Nothing of a person is kept in the browser.
"use strict";

(() => {
  const FRAGMENTO = "X-Fragmento";

  function depois(ms, fazer) {
    let espera = 0;
    return (...dados) => {
      clearTimeout(espera);
      espera = setTimeout(() => fazer(...dados), ms);
    };
  }

  // A part of a page, or null where the answer is something else (a login, an error) or none.
  async function pedir(endereco, opcoes) {
    try {
      const resposta = await fetch(endereco, { ...opcoes, headers: { [FRAGMENTO]: "1", Accept: "text/html" } });
      return resposta.ok && resposta.headers.has(FRAGMENTO) ? await resposta.text() : null;
    } catch {
      return null;
    }
  }

  // ---- the search ------------------------------------------------------------------------------------

  function procura(form) {
    const q = form.querySelector("#q");
    const achados = document.getElementById("achados");
    const contagem = document.getElementById("contagem");
    const novo = document.getElementById("novo");
    let mostrado = q.value.trim();
    let emCurso = null;

    // One request for a text: Enter takes up the one that typing has begun, however long it takes.
    async function procurar() {
      const texto = q.value.trim();
      if (emCurso && emCurso.texto === texto) return emCurso.resposta;
      if (emCurso) emCurso.controle.abort();
      emCurso = null;
      if (texto === mostrado) return true;
      emCurso = { texto, controle: new AbortController() };
      emCurso.resposta = buscar(emCurso);
      return emCurso.resposta;
    }

    async function buscar(esta) {
      const opcoes = { method: "POST", body: new FormData(form), signal: esta.controle.signal };
      const pagina = await pedir(form.action, opcoes);
      if (esta !== emCurso) return false;
      emCurso = null;
      if (pagina === null) return false;
      achados.innerHTML = pagina;
      contagem.textContent = achados.firstElementChild.dataset.contagem;
      mostrado = esta.texto;
      return true;
    }

    const links = () => [...achados.querySelectorAll("a")];
    q.addEventListener("input", depois(150, procurar));
    form.addEventListener("submit", async (evento) => {
      if (evento.submitter === novo || !q.value.trim()) {
        if (evento.submitter !== novo) evento.preventDefault();
        return;
      }
      evento.preventDefault();
      // without an answer the page itself is asked for: it says what is wrong
      if (!(await procurar()) && q.value.trim() !== mostrado) return form.submit();
      (links()[0] || novo).focus();
    });
    form.addEventListener("keydown", (evento) => {
      if (evento.target === q && evento.key === "ArrowDown" && links().length) {
        evento.preventDefault();
        links()[0].focus();
      }
    });
    achados.addEventListener("keydown", (evento) => {
      const passo = { ArrowDown: 1, ArrowUp: -1 }[evento.key];
      const lugar = links().indexOf(evento.target);
      if (!passo || lugar < 0) return;
      evento.preventDefault();
      (links()[lugar + passo] || (passo < 0 ? q : evento.target)).focus();
    });
    if (q.value && document.activeElement === q) q.select();
  }

  // ---- the form --------------------------------------------------------------------------------------

  function parecidos(form) {
    const lugar = document.getElementById("parecidos");
    const olhados = ["nome", "nome_social", "cpf", "data_nascimento"];
    let vez = 0;
    const olhar = depois(400, async () => {
      const esta = ++vez;
      const pagina = await pedir(form.dataset.parecidos, { method: "POST", body: new FormData(form) });
      if (pagina === null || esta !== vez || lugar.innerHTML.trim() === pagina.trim()) return;
      lugar.innerHTML = pagina.trim();
    });
    form.addEventListener("input", (evento) => {
      if (olhados.includes(evento.target.name)) olhar();
    });
    lugar.addEventListener("click", (evento) => {
      const botao = evento.target.closest("[data-outra]");
      if (!botao) return;
      const outra = document.createElement("input");
      Object.assign(outra, { type: "hidden", name: "outra_pessoa", value: botao.dataset.outra });
      form.append(outra);
      const seguinte = form.querySelector("#celular");
      botao.closest("li").remove();
      if (!lugar.querySelector("li")) lugar.replaceChildren();
      seguinte.focus();
    });
  }

  function rascunho(form) {
    let enviado = false;
    let mudou = false;
    const guardar = () => {
      if (!mudou || enviado) return;
      mudou = false;
      fetch(form.dataset.rascunho, { method: "POST", body: new FormData(form), keepalive: true }).catch(() => {
        mudou = true;
      });
    };
    const logo = depois(500, guardar);
    form.addEventListener("input", () => {
      mudou = true;
      logo();
    });
    document.addEventListener("visibilitychange", () => document.hidden && guardar());
    addEventListener("pagehide", guardar);
    form.addEventListener("submit", () => {
      enviado = true;
      const dito = form.querySelector("[data-enviando]");
      dito.textContent = dito.dataset.enviando;
    });
  }

  // ---- the receipt -----------------------------------------------------------------------------------

  // Enter pressed twice on the form must not leave the receipt before anybody has read its number.
  function recibo() {
    const chegou = performance.now();
    addEventListener("keydown", (evento) => {
      if (evento.key === "Enter" && (evento.repeat || performance.now() - chegou < 600)) evento.preventDefault();
    });
  }

  // ---- what became of earlier writes -------------------------------------------------------------------

  function novidades(lugar) {
    const semFicha = (texto) => texto.replace(/name="csrf_token" value="[^"]*"/g, "").replace(/\s+/g, " ").trim();
    let mostrado = semFicha(lugar.innerHTML);
    // a desk that nobody touches for an hour asks no more: its login has to end some day
    let usado = Date.now();
    for (const ato of ["keydown", "pointermove"]) addEventListener(ato, () => (usado = Date.now()));
    setInterval(async () => {
      if (document.hidden || Date.now() - usado > 3600000 || lugar.contains(document.activeElement)) return;
      const pagina = await pedir(lugar.dataset.novidades, {});
      if (pagina === null || semFicha(pagina) === mostrado) return;
      mostrado = semFicha(pagina);
      lugar.innerHTML = pagina;
    }, 5000);
  }

  const busca = document.getElementById("busca");
  if (busca) procura(busca);
  const form = document.querySelector("form.cadastro");
  if (form && form.dataset.parecidos) parecidos(form);
  if (form) rascunho(form);
  if (document.querySelector(".recibo")) recibo();
  const lugar = document.getElementById("novidades");
  if (lugar) novidades(lugar);
  for (const botao of document.querySelectorAll("[data-imprimir]")) {
    botao.addEventListener("click", () => print());
  }
  // a page from the browser's memory may be of yesterday: its form may have been sent since
  addEventListener("pageshow", (evento) => evento.persisted && location.reload());
})();
