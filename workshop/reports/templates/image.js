
"use strict";
(() => {
  // A node of the tree: [name, bytes, colour, children].
  const root = JSON.parse(document.getElementById("tree").textContent);
  const map = document.querySelector(".map");
  const trail = document.querySelector(".trail");
  const status = document.querySelector("[role=status]");
  const format = (bytes) => {
    const value = bytes / 1e6;
    return `${value >= 10 ? Math.round(value).toLocaleString("en") : value.toFixed(1)} MB`;
  };

  // The worst ratio of the sides of boxes with these areas, in a row along a side.
  const worst = (areas, side) => {
    const sum = areas.reduce((one, other) => one + other, 0);
    const [most, least] = [Math.max(...areas), Math.min(...areas)];
    return Math.max((side * side * most) / (sum * sum), (sum * sum) / (side * side * least));
  };

  // A squarified treemap: Bruls, Huizing and van Wijk, 2000. Returns [node, x, y, width, height].
  const lay = (nodes, width, height) => {
    const total = nodes.reduce((sum, node) => sum + node[1], 0);
    const scale = (width * height) / total;
    const boxes = [];
    let [x, y, left, below] = [0, 0, width, height];
    for (let at = 0; at < nodes.length; ) {
      const side = Math.min(left, below);
      const row = [];
      while (at + row.length < nodes.length) {
        const areas = row.map((node) => node[1] * scale);
        const next = nodes[at + row.length];
        if (row.length && worst([...areas, next[1] * scale], side) > worst(areas, side)) break;
        row.push(next);
      }
      at += row.length;
      const area = row.reduce((sum, node) => sum + node[1] * scale, 0);
      const depth = area / side;
      let along = 0;
      for (const node of row) {
        const length = (node[1] * scale) / depth;
        boxes.push(left < below ? [node, x + along, y, length, depth] : [node, x, y + along, depth, length]);
        along += length;
      }
      if (left < below) { y += depth; below -= depth; } else { x += depth; left -= depth; }
    }
    return boxes;
  };

  let path = [root];
  const LEVELS = 3;
  const LABEL = 18; // pixels of the line with a folder's name, above what is in it

  // Adds the boxes of some nodes to the map, each followed by those in it.
  const place = (boxes, nodes, parents, [left, top, width, height]) => {
    const sized = nodes.filter((node) => node[1] > 0);
    for (const [node, x, y, w, h] of lay(sized, width, height)) {
      if (w < 3 || h < 3) continue;
      const [name, bytes, colour, inner] = node;
      const way = [...parents, node];
      // A smaller box is hard to press.
      const isFolder = inner && inner.length > 0 && w >= 24 && h >= 24;
      const box = document.createElement(isFolder ? "button" : "span");
      if (isFolder) {
        box.type = "button";
        box.addEventListener("click", () => { path = [...path, ...way]; show(true); });
      }
      box.className = `c${colour}`;
      box.dataset.depth = parents.length;
      box.title = `${way.map((one) => one[0]).join("/")}: ${format(bytes)}`;
      if (isFolder) box.setAttribute("aria-label", box.title);
      if (w >= 30 && h >= LABEL) box.textContent = `${name}${inner ? "/" : ""} ${format(bytes)}`;
      const sides = { left: `${left + x}px`, top: `${top + y}px`, width: `${w}px`, height: `${h}px` };
      Object.assign(box.style, sides);
      boxes.push(box);
      if (isFolder && way.length < LEVELS && w >= 60 && h >= 60) {
        place(boxes, inner, way, [left + x + 3, top + y + LABEL + 2, w - 6, h - LABEL - 5]);
      }
    }
  };
  const show = (isMove) => {
    const folder = path[path.length - 1];
    const boxes = [];
    place(boxes, folder[3], [], [0, 0, map.clientWidth, map.clientHeight]);
    map.replaceChildren(...boxes);
    trail.replaceChildren(...path.map((node, index) => {
      const item = document.createElement("li");
      const button = document.createElement("button");
      button.type = "button";
      button.textContent = node[0];
      if (index === path.length - 1) button.setAttribute("aria-current", "true");
      button.addEventListener("click", () => { path = path.slice(0, index + 1); show(true); });
      item.append(button);
      return item;
    }));
    status.textContent = `${path.map((node) => node[0]).join("/").replace(/^\/\//, "/")}: ${format(folder[1])}`;
    // The pressed box is gone: the focus goes to the folder that is shown now.
    if (isMove) trail.lastElementChild.firstElementChild.focus();
  };
  new ResizeObserver(() => show(false)).observe(map);
  show(false);
})();
