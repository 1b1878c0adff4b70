import hooks from "eslint-plugin-react-hooks";
import ts from "typescript-eslint";

const untrusted = [
  {
    selector: "JSXAttribute[name.name='dangerouslySetInnerHTML']",
    message: "Telemetry is untrusted text: render it as React children.",
  },
  {
    selector: "MemberExpression[property.name=/^(innerHTML|outerHTML|insertAdjacentHTML)$/]",
    message: "Telemetry is untrusted text: never build HTML from it.",
  },
];

export default ts.config(
  { ignores: ["node_modules", "src/api/generated.ts", "src/features/start/snippets"] },
  ...ts.configs.strictTypeChecked,
  {
    files: ["**/*.{ts,tsx}"],
    languageOptions: { parserOptions: { projectService: true, tsconfigRootDir: import.meta.dirname } },
    plugins: { "react-hooks": hooks },
    rules: {
      ...hooks.configs.recommended.rules,
      // The virtualiser's own way of working; no compiler memoises here.
      "react-hooks/incompatible-library": "off",
      "max-lines": ["error", 350],
      "no-restricted-syntax": ["error", ...untrusted],
      "@typescript-eslint/restrict-template-expressions": ["error", { allowNumber: true }],
      "@typescript-eslint/no-confusing-void-expression": "off",
    },
  },
  {
    files: ["src/core/**"],
    rules: {
      "no-restricted-imports": ["error", { patterns: ["react", "@/features/*", "@/components/*"] }],
    },
  },
  {
    files: ["src/components/**"],
    rules: { "no-restricted-imports": ["error", { patterns: ["@/features/*", "@/api/*"] }] },
  },
  { files: ["**/*.js"], ...ts.configs.disableTypeChecked },
);
