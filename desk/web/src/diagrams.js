// The diagrams of a lesson, drawn by the site's copy of Mermaid. It is large, so only pages with a
// diagram load it. If it is missing, the diagram's text stays readable.

const dark = matchMedia("(prefers-color-scheme: dark)");
let drawn = 0;
let drawing = 0;
let loaded;

// Mermaid writes markup, which Trusted Types refuse except while it draws.
const load = () =>
  (loaded ??= new Promise((resolve, reject) => {
    globalThis.trustedTypes?.createPolicy("default", { createHTML: (text) => (drawing ? text : null) });
    const script = document.createElement("script");
    script.onload = () => resolve(globalThis.mermaid);
    script.onerror = reject;
    script.src = loader.createScriptURL("site/assets/mermaid.js");
    document.head.append(script);
  }));
const loader = globalThis.trustedTypes?.createPolicy("diagrams", {
  createScriptURL: (address) => (address === "site/assets/mermaid.js" ? address : ""),
}) ?? { createScriptURL: (address) => address };

// Draws as pictures: they run no script, and their text is what a screen reader reads.
export async function drawDiagrams(article) {
  const places = [...article.querySelectorAll("pre.diagram")];
  if (!places.length) return;
  const mermaid = await load();
  const show = async () => {
    mermaid.initialize({ startOnLoad: false, suppressErrorRendering: true, htmlLabels: false, flowchart: { htmlLabels: false }, theme: dark.matches ? "dark" : "neutral" });
    for (const place of places) {
      place.source ??= place.textContent;
      drawing++;
      try {
        const { svg } = await mermaid.render(`diagram-${drawn++}`, place.source);
        const picture = new Image();
        picture.style.width = svg.match(/max-width: ([\d.]+px)/)?.[1];
        picture.alt = `Diagram: ${place.source}`;
        picture.src = `data:image/svg+xml;charset=utf-8,${encodeURIComponent(svg)}`;
        place.replaceChildren(picture);
      } finally {
        drawing--;
      }
    }
  };
  await show();
  dark.onchange = show;
}
