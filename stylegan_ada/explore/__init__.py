"""A page in the browser about a run: look at images, move latents, project, take along, watch the training."""
