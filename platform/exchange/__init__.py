"""Exchange with the provincial system: packages out, receipts in (F8, F16, P21; docs/exchange-format.md).

Knows formats and files, not classes or claims: an app describes its package as data (`exchange.packages`),
writes and reads it through `exchange.gateway.gateway()`, and keeps its jobs in `exchange.models`.
"""
