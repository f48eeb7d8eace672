"""Operations tagged `reranking`: `rerank`."""
