import { QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { makeClient } from "@/api/session";
import { startTheme } from "@/components/theme";
import { router } from "@/routes";
import "@/styles/base.css";
import "@/styles/parts.css";
import "@/styles/traces.css";
import "@/styles/trace.css";
import "@/styles/overview.css";
import "@/styles/people.css";

startTheme();

const client = makeClient();
const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
