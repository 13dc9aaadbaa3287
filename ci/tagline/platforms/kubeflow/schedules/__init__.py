"""Schedules as code: five-field cron in a person's zone, moved to a new version without a lost or doubled tick."""
