/** Resolves packages that export only the `import` condition, which jest's CommonJS runtime does not ask for. */
const importOnly =
  /^(@actions\/|jose$|jose\/|[a-z-]*proxy-agent[a-z-]*$|agent-base$|proxy-from-env$|@marcbachmann\/)/;

module.exports = (request, options) =>
  options.defaultResolver(
    request,
    importOnly.test(request)
      ? { ...options, conditions: [...(options.conditions ?? []), "import"] }
      : options,
  );
