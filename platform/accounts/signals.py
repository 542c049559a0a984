"""What other floors may want to know at once."""

from django.dispatch import Signal

# An account's sessions, tokens and password are no longer good: sent with `user`, `actor` and `at`, in the
# transaction that ends them.
access_ended = Signal()
