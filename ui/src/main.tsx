import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { RouterProvider } from "@tanstack/react-router";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { ApiError } from "@/api/client";
import { startTheme } from "@/components/theme";
import { router } from "@/routes";
import "@/styles/base.css";
import "@/styles/parts.css";
import "@/styles/traces.css";
import "@/styles/trace.css";
import "@/styles/overview.css";

startTheme();

const client = new QueryClient({
  defaultOptions: {
    // A refusal will be refused again; a server that is gone may come back.
    queries: { retry: (times, error) => !(error instanceof ApiError) && times < 2, staleTime: 2000 },
  },
});

const root = document.getElementById("root");
if (root === null) throw new Error("index.html has no #root");
createRoot(root).render(
  <StrictMode>
    <QueryClientProvider client={client}>
      <RouterProvider router={router} />
    </QueryClientProvider>
  </StrictMode>,
);
