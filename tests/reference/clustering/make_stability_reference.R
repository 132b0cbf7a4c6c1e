# Bootstrap Jaccard similarities by fpc::clusterboot, with the resamples it drew, and logarithms of χ tails.
# Run here: Rscript make_stability_reference.R (fpc 2.2.10, R 4.2.2, Debian 12: r-cran-fpc).
#
# clusterboot has two ways with regions drawn twice: use them once (multipleboot = FALSE), or keep them in the
# refit and in the similarity (multipleboot = TRUE, bscompare = TRUE). The third, bscompare = FALSE, is meant to
# be ours (keep them in the refit, count them once in the similarity), but in fpc 2.2.10 it compares the first
# two points alone, so it makes no reference. clusterboot gives a cluster without a member in the resample 0.
suppressMessages(library(fpc))

set.seed(4)
points <- round(rbind(
  matrix(rnorm(12), 6), matrix(rnorm(10, 3), 5), matrix(rnorm(8, c(0, 5)), 4, byrow = TRUE), c(9, 9)
), 3)
n <- nrow(points)
k <- 4
write.csv(data.frame(x = points[, 1], y = points[, 2],
                     cluster = cutree(hclust(dist(points), "ward.D2"), k)), "stability_points.csv", row.names = FALSE)

run <- function(multiple, seed, B = 30) {
  boot <- clusterboot(points, B = B, bootmethod = "boot", multipleboot = multiple, bscompare = TRUE,
                      clustermethod = hclustCBI, k = k, method = "ward.D2", scaling = FALSE,
                      count = FALSE, seed = seed)
  # The same draws again: hclust draws nothing, so these are all of them.
  set.seed(seed)
  draws <- t(sapply(seq_len(B), function(i) sample(n, n, replace = TRUE)))
  data.frame(multiple = multiple, draw = apply(draws, 1, paste, collapse = " "), t(boot$bootresult))
}
rows <- rbind(run(FALSE, 11), run(TRUE, 12))
names(rows)[3:6] <- paste0("cluster_", 1:4)
write.csv(rows, "clusterboot.csv", row.names = FALSE)

tails <- expand.grid(freedom = c(1, 2, 11, 300), x = c(20, 37, 40, 60, 900))
tails$log_tail <- pchisq(tails$x^2, tails$freedom, lower.tail = FALSE, log.p = TRUE)
write.csv(format(tails, digits = 17), "chi_tails.csv", row.names = FALSE)
