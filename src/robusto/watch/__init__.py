"""Who listens and looks: status, activity, log. The flow of a write never imports them."""
