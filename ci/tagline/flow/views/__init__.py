"""Views: what is, what happened, and what is missing; nothing is changed but what a finished training adds."""
