import { fileURLToPath } from "node:url";
import react from "@vitejs/plugin-react";
import { defineConfig } from "vite";
import { mockApi } from "./dev/mock.ts";

const target = process.env["WATCHKEEPER_URL"];

export default defineConfig({
  // Without a server to talk to, `npm run dev` answers from made-up data.
  plugins: [react(), ...(target === undefined && process.env["VITEST"] === undefined ? [mockApi()] : [])],
  resolve: { alias: { "@": fileURLToPath(new URL("src", import.meta.url)) } },
  build: {
    outDir: "../src/watchkeeper/server/static",
    emptyOutDir: true,
    target: "es2022",
    assetsInlineLimit: 0,
    modulePreload: { polyfill: false },
    reportCompressedSize: true,
  },
  server: target === undefined ? {} : { proxy: { "/api": target } },
});
