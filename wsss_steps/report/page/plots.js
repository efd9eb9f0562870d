// Plots as SVG: bars, lines, heat maps.
"use strict";
