"""A black-box proof: real servers, real kills, and a judge that believes clients and business rows alone."""
