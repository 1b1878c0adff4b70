WITH due AS (SELECT DISTINCT project, trace_id, trace_hash FROM facts_due),
    best AS (
        SELECT s.project, s.trace_id, s.trace_hash, arg_min(s.session_id, (s.parent_span_id IS NOT NULL, s.start_ns, s.span_id)) FILTER (s.session_id IS NOT NULL AND s.copied & 1 = 0) AS session_id, arg_min(s.user_id, (s.parent_span_id IS NOT NULL, s.start_ns, s.span_id)) FILTER (s.user_id IS NOT NULL AND s.copied & 2 = 0) AS user_id, arg_min(s.tags, (s.parent_span_id IS NOT NULL, s.start_ns, s.span_id)) FILTER (s.tags IS NOT NULL AND s.copied & 4 = 0) AS tags, arg_min(s.release, (s.parent_span_id IS NOT NULL, s.start_ns, s.span_id)) FILTER (s.release IS NOT NULL AND s.copied & 8 = 0) AS release
        FROM spans s JOIN due d ON s.trace_hash = d.trace_hash AND s.trace_id = d.trace_id AND s.project = d.project
        WHERE s.start_ns BETWEEN $low AND $high
        GROUP BY s.project, s.trace_id, s.trace_hash
    )
    UPDATE spans s SET
        session_id = CASE WHEN (s.session_id IS NULL OR s.copied & 1 <> 0) THEN b.session_id ELSE s.session_id END, user_id = CASE WHEN (s.user_id IS NULL OR s.copied & 2 <> 0) THEN b.user_id ELSE s.user_id END, tags = CASE WHEN (s.tags IS NULL OR s.copied & 4 <> 0) THEN b.tags ELSE s.tags END, release = CASE WHEN (s.release IS NULL OR s.copied & 8 <> 0) THEN b.release ELSE s.release END,
        copied = (CASE WHEN (s.session_id IS NULL OR s.copied & 1 <> 0) AND b.session_id IS NOT NULL THEN 1 ELSE 0 END + CASE WHEN (s.user_id IS NULL OR s.copied & 2 <> 0) AND b.user_id IS NOT NULL THEN 2 ELSE 0 END + CASE WHEN (s.tags IS NULL OR s.copied & 4 <> 0) AND b.tags IS NOT NULL THEN 4 ELSE 0 END + CASE WHEN (s.release IS NULL OR s.copied & 8 <> 0) AND b.release IS NOT NULL THEN 8 ELSE 0 END)::UTINYINT
    FROM best b
    WHERE s.trace_hash = b.trace_hash AND s.trace_id = b.trace_id AND s.project = b.project
      AND s.start_ns BETWEEN $low AND $high
      AND (((s.session_id IS NULL OR s.copied & 1 <> 0) AND s.session_id IS DISTINCT FROM b.session_id) OR ((s.user_id IS NULL OR s.copied & 2 <> 0) AND s.user_id IS DISTINCT FROM b.user_id) OR ((s.tags IS NULL OR s.copied & 4 <> 0) AND s.tags IS DISTINCT FROM b.tags) OR ((s.release IS NULL OR s.copied & 8 <> 0) AND s.release IS DISTINCT FROM b.release))
