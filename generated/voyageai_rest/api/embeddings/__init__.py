"""Operations tagged `embeddings`: `create_contextualized_embeddings`, `create_embeddings`, `create_multimodal_embeddings`."""
