/* hekad dashboard; built from share/dashboard/src. Contains preact and uPlot, see licenses.txt. */
"use strict";(()=>{var n="hekad-theme";function m(){try{let e=localStorage.getItem(n);return e==="light"||e==="dark"?e:"system"}catch{return"system"}}function o(e){let t=document.documentElement;e==="system"?delete t.dataset.theme:t.dataset.theme=e}o(m());})();
