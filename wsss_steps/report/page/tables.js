// Tables that can be sorted.
"use strict";
