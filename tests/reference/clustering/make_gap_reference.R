# Reference values of tests/clustering/test_gap.py, from R's cluster::clusGap (made with R 4.2.2, cluster 2.1.4):
#   Rscript make_gap_reference.R
# in this folder. Writes gap_points.csv (three groups in four columns, one of them correlated with another) and
# gap.csv: log W, its mean over 4,000 reference sets, gap and SE by k, for two ways to draw the reference and
# clusters cut from Ward's tree, which needs no starts. clusGap's W is half of Tibshirani's; d.power = 2.
library(cluster)
set.seed(2001)
points <- matrix(rnorm(4 * 30), 30)
points[, 2] <- points[, 2] + points[, 1]
points <- round(points + 2 * rep(c(0, 1, 2), each = 10) * rep(c(1, 0, -1, 0), each = 30), 4)
write.csv(points, "gap_points.csv", row.names = FALSE)

ward <- function(x, k) list(cluster = cutree(hclust(dist(x), method = "ward.D2"), k))
rows <- NULL
for (space in c("original", "scaledPCA")) {
  found <- clusGap(points, ward, K.max = 6, B = 4000, d.power = 2, spaceH0 = space, verbose = FALSE)
  tab <- found$Tab
  for (rule in c("Tibs2001SEmax", "globalmax"))
    attr(tab, rule) <- maxSE(tab[, "gap"], tab[, "SE.sim"], method = rule)
  rows <- rbind(rows, data.frame(space = space, k = seq_len(nrow(tab)), tab,
                                 tibshirani = attr(tab, "Tibs2001SEmax"), globalmax = attr(tab, "globalmax")))
}
write.csv(format(rows, digits = 12, trim = TRUE), "gap.csv", row.names = FALSE, quote = FALSE)
