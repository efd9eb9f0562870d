// The gallery: its data are report.gallery, made by draw_pictures.
"use strict";
