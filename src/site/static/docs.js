// Starts Swagger UI on the description of this wiki's API.
(() => {
  "use strict";

  const dark = matchMedia("(prefers-color-scheme: dark)");
  const follow = () => document.documentElement.classList.toggle("dark-mode", dark.matches);
  dark.addEventListener("change", follow);
  follow();

  const main = document.getElementById("docs");
  // Swagger UI gives the box of a body no name.
  new MutationObserver(() => {
    for (const box of main.querySelectorAll("textarea.body-param__text:not([aria-label])")) {
      box.setAttribute("aria-label", "Request body");
    }
  }).observe(main, { childList: true, subtree: true });

  // The button that opens an operation must hold no link (WAI-ARIA: a button's children are presentational).
  const plainPaths = (system) => ({
    components: { DeepLink: ({ text }) => system.React.createElement("span", null, text) },
  });

  SwaggerUIBundle({
    plugins: [plainPaths],
    url: main.dataset.description,
    domNode: main,
    deepLinking: true,
    // Nothing is sent anywhere but to this wiki.
    validatorUrl: null,
    defaultModelsExpandDepth: 0,
    tryItOutEnabled: true,
    displayRequestDuration: true,
    requestSnippetsEnabled: false,
  });
})();
