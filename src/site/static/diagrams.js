// Diagrams of a page. Each is drawn in a frame of its own when it is about to be seen; its source is there all the time, and stays
// in sight if it cannot be drawn.
const make = (name, properties) => Object.assign(document.createElement(name), properties);

/** The highest frame, in pixels: a diagram that is higher is scrolled. */
const HIGHEST = 6000;

const soon = new IntersectionObserver((entries) => {
  for (const { target, isIntersecting } of entries) {
    if (!isIntersecting) continue;
    soon.unobserve(target);
    show(target);
  }
}, { rootMargin: "400px" });

/** Draws the diagrams whose sources are these elements. */
export const draw = (sources) => sources.forEach((source) => soon.observe(source.closest(".code")));

function show(block) {
  const source = block.querySelector("code").textContent;
  const title = source.match(/^\s*accTitle\s*:\s*(\S.*)$/m)?.[1].trim() ?? "Diagram";
  const frame = make("iframe", { className: "diagram", title, src: "/wiki/-/diagram", height: 1 });
  frame.sandbox = "allow-scripts";
  const said = make("p", { className: "hint", role: "status" });
  const listen = ({ source: from, data }) => {
    if (from !== frame.contentWindow) return;
    // The preview of an editor is made anew with each change.
    if (!block.isConnected) return removeEventListener("message", listen);
    if (typeof data?.problem === "string") {
      frame.remove();
      // Its line numbers are not those of the source.
      const [first, ...more] = data.problem.split("\n");
      const reason = /^Parse error/.test(first) ? more.find((line) => /expect/i.test(line)) ?? "there is a mistake in it" : first;
      said.textContent = `This diagram cannot be drawn: ${reason}`;
    } else if (data?.height > 0) {
      frame.height = Math.min(data.height, HIGHEST);
      if (!block.closest("details.source")) {
        const details = make("details", { className: "source" });
        details.append(make("summary", { textContent: "Source of the diagram" }));
        block.replaceWith(details);
        details.append(block);
      }
    }
  };
  addEventListener("message", listen);
  frame.addEventListener("load", () => frame.contentWindow.postMessage({ source }, "*"));
  block.before(said, frame);
}
