// Draws the diagrams on a page, and redraws them when the theme changes.
//
// Mermaid is large, so only pages with a diagram load it, from this site: `make docs` puts it next
// to this file. If it is missing, the diagram's source text stays readable.
(() => {
  const diagrams = [...document.querySelectorAll("pre.diagram")].map((pre) => {
    const drawing = document.createElement("div");
    drawing.className = "diagram";
    return { pre, drawing, text: pre.textContent };
  });
  if (!diagrams.length) return;

  const dark = () => document.body.dataset.mdColorScheme === "slate";
  let drawn = 0;

  const draw = async () => {
    window.mermaid.initialize({
      startOnLoad: false,
      theme: dark() ? "dark" : "neutral",
      themeVariables: dark() ? { edgeLabelBackground: "#333333" } : {},
    });
    for (const { pre, drawing, text } of diagrams) {
      const { svg } = await window.mermaid.render(`diagram-${drawn++}`, text);
      drawing.innerHTML = svg;
      (pre.isConnected ? pre : drawing).replaceWith(drawing);
    }
  };

  const script = document.createElement("script");
  script.src = new URL("mermaid.js", document.currentScript.src);
  script.onload = async () => {
    await draw();
    new MutationObserver(draw).observe(document.body, {
      attributeFilter: ["data-md-color-scheme"],
    });
  };
  document.head.append(script);
})();
