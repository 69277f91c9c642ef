// Draws the diagram that the page around this frame sends, and tells the page how high it is, or why there is none.
"use strict";
{
  const main = document.querySelector("main");
  const tell = (message) => parent.postMessage(message, "*");
  const dark = matchMedia("(prefers-color-scheme: dark)");
  let source;
  const draw = async () => {
    mermaid.initialize({
      startOnLoad: false,
      securityLevel: "strict",
      suppressErrorRendering: true,
      theme: dark.matches ? "dark" : "neutral",
      fontFamily: "system-ui, sans-serif",
    });
    try {
      const { svg } = await mermaid.render("diagram", source);
      main.innerHTML = svg;
    } catch (error) {
      main.replaceChildren();
      tell({ problem: String(error?.message ?? error) });
    }
  };
  addEventListener("message", (event) => {
    if (event.source !== parent || typeof event.data?.source !== "string") return;
    ({ source } = event.data);
    draw();
  });
  dark.addEventListener("change", () => { if (source) draw(); });
  new ResizeObserver(() => {
    if (main.firstElementChild) tell({ height: Math.ceil(main.getBoundingClientRect().height) });
  }).observe(main);
}
