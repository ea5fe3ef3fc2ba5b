(function () {
  document.documentElement.dataset.script = "1";
  document.addEventListener("click", function (event) {
    var button = event.target.closest("button[data-copy]");
    if (!button) return;
    var code = button.parentNode.querySelector("code");
    var said = function (word) {
      button.textContent = word;
      setTimeout(function () { button.textContent = "Copy"; }, 1500);
    };
    var select = function () {
      var range = document.createRange();
      range.selectNodeContents(code);
      var selection = getSelection();
      selection.removeAllRanges();
      selection.addRange(range);
    };
    if (navigator.clipboard && isSecureContext) {
      navigator.clipboard.writeText(code.textContent).then(
        function () { said("Copied"); },
        function () { select(); said("Selected"); }
      );
    } else {
      select();
      said(document.execCommand("copy") ? "Copied" : "Selected");
    }
  });
  document.body.dataset.ready = "1";
})();
