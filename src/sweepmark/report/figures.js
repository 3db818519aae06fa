"use strict";
const settings = { responsive: true, displayModeBar: false };
const paper = 660; // pixels between the margins of a printed page
const boxes = [...document.querySelectorAll(".plot")];
const drawn = Promise.all(
  boxes.map((box) => {
    const figure = JSON.parse(document.getElementById(`${box.id}-data`).textContent);
    return Plotly.newPlot(box, figure.data, figure.layout, settings);
  }),
);
drawn.then(() => document.documentElement.classList.add("drawn"));
// A printed page is narrower than the screen; a figure is only as wide as it was drawn.
window.addEventListener("beforeprint", () => {
  boxes.forEach((box) => {
    Plotly.relayout(box, { autosize: false, width: Math.min(paper, box.clientWidth) });
  });
});
window.addEventListener("afterprint", () => {
  boxes.forEach((box) => Plotly.relayout(box, { autosize: true, width: null }));
});
